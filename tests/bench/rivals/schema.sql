-- The tables of both rivals, as plain as such a service has them.
create table api_key (
	hash text primary key, -- SHA-256, in hexadecimal
	chatbot bigint not null,
	active boolean not null default true
);

create table conversation (
	id uuid primary key default gen_random_uuid(),
	chatbot bigint not null,
	session text not null,
	updated_at timestamptz not null default now(),
	unique (chatbot, session)
);

create table exchange (
	id bigint generated always as identity primary key,
	conversation uuid not null references conversation on delete cascade,
	question text not null,
	answer text,
	asked_at timestamptz not null default now(),
	answered_at timestamptz
);
create index on exchange (conversation, id);
