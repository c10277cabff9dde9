-- A request as the Sim-Flow client knows it (source document 2): flat, with the names of who asked and who is assigned.
create or replace function faces.simflow_request(p_record core.record) returns jsonb
language sql stable
as $$
  select '{"description": null, "vendor": null, "status": null, "priority": null, "assignedTo": null, "estimatedHours": null}'
    || (faces.flat(p_record) - 'position')
    || jsonb_build_object(
      'createdByName', logic.creator_name(p_record),
      'assignedToName', logic.member_name(p_record.workspace_id, p_record.data ->> 'assignedTo'))
$$;
comment on function faces.simflow_request(core.record) is 'A record in the shape of a Sim-Flow request.';
