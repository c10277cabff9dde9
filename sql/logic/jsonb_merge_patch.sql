-- RFC 7396: objects merge member by member, null removes, anything else (arrays too) replaces.
-- No patch at all (a null that is SQL's, not JSON's) leaves the target.
-- A flat patch, by far the most frequent, is one concatenation.
create or replace function logic.jsonb_merge_patch(p_target jsonb, p_patch jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
  if p_patch is null then
    return p_target;
  end if;
  if jsonb_typeof(p_patch) <> 'object' then
    return p_patch;
  end if;
  if p_target is null or jsonb_typeof(p_target) <> 'object' then
    p_target := '{}';
  end if;
  if not jsonb_path_exists(p_patch, 'strict $.* ? (@ == null || @.type() == "object")') then
    return p_target || p_patch;
  end if;
  return (
    select coalesce(jsonb_object_agg(m.key, m.value), '{}')
    from (
      select t.key, t.value
      from jsonb_each(p_target) t
      where not p_patch ? t.key
      union all
      select p.key, logic.jsonb_merge_patch(p_target -> p.key, p.value)
      from jsonb_each(p_patch) p
      where jsonb_typeof(p.value) <> 'null'
    ) m
  );
end
$$;
comment on function logic.jsonb_merge_patch(jsonb, jsonb) is 'The target with a merge patch applied (RFC 7396).';
