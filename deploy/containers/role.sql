-- Run once, by PostgreSQL's image, when its volume is new: the role the application connects as. What it may do is
-- banterctl migrate's business. The password is read by psql itself, so that no command line shows it.
\set password `cat /run/secrets/banter_password`
create role banter login password :'password';
