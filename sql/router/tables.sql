-- A router: a database with the same functions and none of the data. Its schemas, and what it knows.

create schema if not exists banter_data;
create schema if not exists banter;
create schema if not exists banter_shards;

create extension if not exists plproxy;
create extension if not exists dblink with schema banter_data;

comment on schema banter_data is 'What the router knows, and its inner functions.';
comment on schema banter is 'Banter''s functions: each has the partitions run their own.';
comment on schema banter_shards is 'The partitions'' functions as they are, each of one partition (p_at) or of all.';

create table if not exists banter_data.router (
	one boolean not null default true,
	partitions integer not null,
	interface json not null,
	constraint router_pkey primary key (one),
	constraint router_one check (one),
	constraint router_partitions_power_of_two check (partitions > 0 and (partitions & (partitions - 1)) = 0)
);
comment on table banter_data.router is 'How many partitions there are, for ever, and the functions they have (banter.interface).';

create table if not exists banter_data.placed (
	workspace bigint not null,
	partition integer not null,
	constraint placed_pkey primary key (workspace)
);
comment on table banter_data.placed is
	'Where a workspace is that is not where its number says: those of a database that became a partition.';

create table if not exists banter_data.away (
	partition integer not null,
	constraint away_pkey primary key (partition)
);
comment on table banter_data.away is 'Which partitions were found away since one last answered (banter_shards.health_of).';

create table if not exists banter_data.moving (
	partition integer not null,
	source text not null,
	target text not null,
	switched boolean not null default false,
	begun_at timestamptz not null default clock_timestamp(),
	constraint moving_pkey primary key (partition),
	constraint moving_target_key unique (target)
);
comment on table banter_data.moving is 'Partitions that are moving to another server (banterctl shards move), from one address to another.';
comment on column banter_data.moving.switched is 'It is there already: what is left is to clear up.';
