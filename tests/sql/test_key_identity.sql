begin;
select plan(4);
\ir include/fixture.sql
select banter.key_create(1, 'pk', 'site', 'bot', sha256('pk'), 'p1p1', '', array['https://a.example']);
select is(banter.key_identity('p1p1', '\x01', '\x02'), 'pk', 'by its last characters');
select pg_temp.row_is($$ select identity_inner, identity_outer from banter_data.api_key where api_key = 'pk' $$, row('\x01'::bytea, '\x02'::bytea));
select ok((select identity from banter.key_show('pk')), 'shown so');
select banter.key_create(1, 'k9', 'workspace', null, sha256('k9'), 'k9k9', '');
select throws_ok($$ select banter.key_identity('k9', '\x01', '\x02') $$, 'P0001', 'key "k9" is a workspace key: only pages have visitors');
select * from finish();
rollback;
