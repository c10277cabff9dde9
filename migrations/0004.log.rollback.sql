drop table core.change;
drop table core.transaction;
