-- Fields without an account: a user field that is its id becomes null (p_keep; else the field goes), out of an array its id goes.
create or replace function logic.jsonb_without_account(p_fields jsonb, p_user_fields text[], p_account_id uuid, p_keep boolean) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_key text;
begin
  foreach v_key in array p_user_fields loop
    if jsonb_typeof(p_fields -> v_key) = 'array' then
      p_fields := jsonb_set(p_fields, array[v_key], (
        select coalesce(jsonb_agg(e.value order by e.n), '[]')
        from jsonb_array_elements(p_fields -> v_key) with ordinality e(value, n)
        where lower(e.value #>> '{}') is distinct from p_account_id::text));
    elsif lower(p_fields ->> v_key) = p_account_id::text then
      p_fields := case when p_keep then jsonb_set(p_fields, array[v_key], 'null') else p_fields - v_key end;
    end if;
  end loop;
  return p_fields;
end
$$;
comment on function logic.jsonb_without_account(jsonb, text[], uuid, boolean) is 'Fields without an account in their user fields.';
