-- What the owner may take away from everybody. The rest needs the database's owner or a superuser:
-- bootstrap takes what the migrating login may, `opsroom-worker access harden` everything.

alter default privileges for role opsroom_owner revoke usage on types from public;
revoke usage on type opsroom.run_answer from public;
revoke all on schema opsroom from public;
revoke all on all tables in schema opsroom from public;
revoke all on all sequences in schema opsroom from public;
revoke all on all routines in schema opsroom from public;
