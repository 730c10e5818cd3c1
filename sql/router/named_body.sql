create or replace function banter_data.named_body(p_inputs text[], p_called text, p_in_time boolean, p_held boolean)
returns text
language sql
immutable
as $$
	select format(E'declare\n\tv record;\n\tv_cluster text;%s\nbegin\n\t%s;%s\n\treturn query %s(%s);%s\nend;',
		case when p_in_time
			then E'\n\tv_until constant timestamptz := statement_timestamp() + nullif(p_lock_ms, 0) * interval ''1 ms'';' else '' end,
		case when p_inputs @> '{p_workspace bigint}'
			then 'select banter_shards.partition_of(p_workspace) as at into v'
			else format('v := banter_data.place(p_workspace => %s, p_chatbot => %s, p_key => %s)',
				case when p_inputs @> '{p_workspace text}' then 'p_workspace' else 'null' end,
				case when p_inputs @> '{p_chatbot text}' then 'p_chatbot' else 'null' end,
				case when p_inputs @> '{p_key text}' then 'p_key' else 'null' end) end,
		case when p_held then E'\n\tv_cluster := banter_shards.held(v.at);' else '' end,
		p_called,
		'p_at => v.at' || (
			select coalesce(string_agg(format(', %I => %s', split_part(i, ' ', 1), case
				when i = 'p_workspace text' then 'v.workspace'
				when i = 'p_chatbot text' and not p_inputs @> '{p_workspace bigint}' then 'v.chatbot'
				when i = 'p_key text' then 'v.key'
				else quote_ident(split_part(i, ' ', 1)) end), '' order by n), '')
			from unnest(p_inputs) with ordinality u (i, n))
			|| case when p_in_time then ', p_until => v_until' else '' end,
		case when p_in_time then E'\n\tif not found and clock_timestamp() < v_until then\n\t\traise exception ''by the clock of partition'
			' % it is too late already: the clocks of the router and its partitions must agree'', v.at using errcode ='
			' ''connection_failure'';\n\tend if;' else '' end)
$$;

comment on function banter_data.named_body(text[], text, boolean, boolean) is
	'The body of an operator''s function that runs where the workspace, chatbot or key is that it is given; p_in_time: a partition that comes to it when nobody waits any more does nothing; p_held: it waits while the partition is switched.';
