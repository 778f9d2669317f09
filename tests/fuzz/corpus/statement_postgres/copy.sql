\restrict k
copy t (a) from stdin; -- x
1	2
\.x
\.
select $1; /* /* ; */ ; */ select (1;2);
