create or replace function banter_data.function_body(p_operator boolean, p_body text)
returns text
language sql
immutable
as $$
	select case when p_operator
		then format('language plpgsql security definer set search_path = pg_catalog, banter_data, pg_temp as %L',
			E'#variable_conflict use_column\nbegin\n' || p_body
				|| E'\nexception\n\twhen raise_exception then\n\t\traise exception ''%'', banter_data.words(sqlerrm);\nend')
		else format('language plpgsql as %L',
			E'#variable_conflict use_column\nbegin\n' || p_body
				|| E'\nexception\n\twhen internal_error then\n\t\tif sqlerrm not like ''PL/Proxy function %'' then\n\t\t\traise;'
				|| E'\n\t\tend if;\n\t\traise exception ''%'', sqlerrm using errcode = ''connection_failure'';\nend')
	end
$$;

comment on function banter_data.function_body(boolean, text) is 'A body as a function has it: an operator''s refusals are told in their own words; what PL/Proxy itself says to the application is that a connection failed.';
