drop table core.bundle_object;
drop table core.bundle;
drop schema reporting cascade;
drop schema faces cascade;
drop schema api cascade;
drop schema logic cascade;
alter default privileges grant execute on functions to public;
