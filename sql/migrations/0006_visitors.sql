-- banter: steps
-- Keys that a page shows to everybody, and their visitors. Whoever is there already has none of either.

-- banter: step
alter table banter_data.api_key
	add column if not exists origins text[] collate "C",
	drop constraint if exists api_key_kind_known,
	drop constraint if exists api_key_widget_has_chatbot,
	drop constraint if exists api_key_chatbot_of_kind,
	drop constraint if exists api_key_site_has_origins,
	add constraint api_key_kind_known check (kind in ('widget', 'workspace', 'site')) not valid,
	add constraint api_key_chatbot_of_kind check ((kind <> 'workspace') = (chatbot is not null)) not valid,
	add constraint api_key_site_has_origins check (
		(kind = 'site') = (origins is not null) and cardinality(origins) between 1 and 16) not valid;
comment on table banter_data.api_key is
	'A key, known by its hash only: of one chatbot (widget; site, which everybody may know) or of all of a workspace''s.';
comment on column banter_data.api_key.origins is 'The pages a site key is for: exactly what their browsers send as Origin.';

-- banter: step
alter table banter_data.api_key validate constraint api_key_kind_known;
-- banter: step
alter table banter_data.api_key validate constraint api_key_chatbot_of_kind;
-- banter: step
alter table banter_data.api_key validate constraint api_key_site_has_origins;

-- banter: step
-- These of the operator's take or return more than before, which no "or replace" can: they are made again with all the
-- others.
drop function if exists
	banter.key_create(bigint, text, text, text, bytea, text, text),
	banter.key_list(text), banter.key_show(text);
