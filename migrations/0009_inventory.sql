-- What inventory.sync keeps: how each tenant connects to Microsoft Graph, and which of its policies
-- were observed when. No secret and no policy document is stored here: secrets are named, and live
-- with the worker.

create table opsroom.graph_connections (
  tenant_id bigint primary key references opsroom.tenants on delete cascade,
  directory_id text not null check (directory_id ~ '^[0-9A-Za-z.-]{1,100}$'),
  client_id text not null check (client_id ~ '^[0-9A-Za-z-]{1,100}$'),
  secret_name text not null check (secret_name ~ '^[0-9A-Za-z_.-]{1,100}$')
);
comment on column opsroom.graph_connections.secret_name is
  'Names the client secret among the worker''s credentials; never the secret itself.';
create trigger audit after insert or update or delete on opsroom.graph_connections
  for each row execute function opsroom.audit_row();

create table opsroom.inventory_items (
  tenant_id bigint not null references opsroom.tenants on delete cascade,
  family text not null check (family ~ '^[a-z0-9_]{1,64}$'),
  external_id text not null check (length(external_id) between 1 and 200),
  name text not null check (length(name) <= 300),
  platform text,
  odata_type text,
  content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
  modified_at timestamptz,
  first_observed_at timestamptz not null default clock_timestamp(),
  last_observed_at timestamptz not null default clock_timestamp(),
  last_observed_run_id bigint,
  primary key (tenant_id, family, external_id)
);
