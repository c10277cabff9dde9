drop table core.record;
drop table core.field;
drop table core.collection;
