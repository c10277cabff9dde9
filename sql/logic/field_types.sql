create or replace function logic.field_types() returns text[]
language sql immutable parallel safe
as $$
  select '{text,long_text,number,boolean,date,datetime,select,multi_select,user,reference,url,json}'::text[]
$$;
comment on function logic.field_types() is 'The types that a field may have, as the check of core.field has them.';
