delimiter //
select 1;//
delimiter ;
/*!50003 create trigger t before insert on x for each row begin if a then select 1; end if; end */;
/*M!999999\- x */ set sql_mode='ANSI_QUOTES'; select "a\";
