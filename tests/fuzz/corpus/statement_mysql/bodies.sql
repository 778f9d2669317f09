create procedure p() l: begin declare exit handler for not found begin end; case x when 1 then select 1; end case; repeat set a = if(1,2,3); until a end repeat; end;
# c
-- d
use x
