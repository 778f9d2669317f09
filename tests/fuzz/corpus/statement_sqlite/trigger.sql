create temp trigger t after insert on a when case when 1 then 2 end begin select case 1 when 2 then 3 end; end; select [a;b], `;`; /* ; */ -- ;
.x
