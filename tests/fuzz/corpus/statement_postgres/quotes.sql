select E'a\'' ||
 '\';'; do $x$ ; $y$ ; $x$;
create function f() returns int begin atomic; select case when 1 then 2 end; end;
