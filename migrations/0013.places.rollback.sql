alter table core.change drop column neighbours_before;
