-- A change that takes something from one person and gives it to another concerns both: what the former one
-- reached through it goes, too.
create or replace function opsroom.reach_follows_users() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  concerned bigint[];
begin
  if tg_op = 'UPDATE' then
    select array_agg(distinct c.user_id) into concerned
      from (select f.user_id from former f union all select n.user_id from changed n) c where c.user_id is not null;
  else
    select array_agg(distinct c.user_id) into concerned from changed c where c.user_id is not null;
  end if;
  perform opsroom.sync_reach(coalesce(concerned, '{}'), '{}');
  return null;
end
$$;

drop trigger reach_on_update on opsroom.logins;
create trigger reach_on_update after update on opsroom.logins referencing old table as former new table as changed
  for each statement execute function opsroom.reach_follows_users();
drop trigger reach_on_update on opsroom.workspace_members;
create trigger reach_on_update after update on opsroom.workspace_members referencing old table as former new table as changed
  for each statement execute function opsroom.reach_follows_users();
drop trigger reach_on_update on opsroom.tenant_members;
create trigger reach_on_update after update on opsroom.tenant_members referencing old table as former new table as changed
  for each statement execute function opsroom.reach_follows_users();

-- What was left behind before this.
select opsroom.sync_reach(coalesce((select array_agg(u.id) from opsroom.users u), '{}'), '{}');
