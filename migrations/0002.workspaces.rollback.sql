drop table core.member;
drop table core.role;
drop table core.clock;
drop table core.workspace;
drop table core.template;
drop table core.account;
