-- +goose Up
-- Ids of users are their tenant's own, drawn in turn, so that they count nobody else's.
-- Those that there are stay what they are.

alter table users alter column id drop identity;
alter table users drop constraint users_pkey, add primary key (tenant, id);
insert into counters (tenant, name, value) select tenant, 'ids/users', max(id) from users group by tenant;

alter table sessions add column tenant bigint not null default 0; -- 0: nobody has signed in
update sessions set tenant = coalesce((select tenant from users where id = user_id), 0);
drop index sessions_by_user;
create index sessions_by_user on sessions (tenant, user_id);

-- An endpoint's name is taken for those who see the endpoint, and free for all others.

drop index endpoints_by_name;
drop index endpoints_by_name_key;
create unique index endpoints_by_name on endpoints (tenant, name, clearance) where name <> '';
create unique index endpoints_by_name_key on endpoints (tenant, name_key, clearance) where name_key <> '';

-- Labels and contacts that somebody deleted who did not see all of the cases that have
-- them: those keep them.

alter table labels add column deleted boolean not null default false;
alter table contacts add column deleted boolean not null default false;

-- The clearance that a record of the audit takes; of what is gone already, the highest.

alter table audit add column classification text not null default 'PUBLIC';
alter table audit disable trigger audit_keeps;
update audit set classification = coalesce((
        select e.reached from endpoints e where e.tenant = audit.tenant and e.id = substr(subject, 10)
    ), 'RESTRICTED') where subject like 'endpoint/%';
update audit set classification = coalesce((
        select c.classification from cases c where c.tenant = audit.tenant and c.id = cast(substr(subject, 6) as bigint)
    ), 'RESTRICTED') where subject like 'case/%';
update audit set classification = coalesce((
        select coalesce(nullif(t.definition::json ->> 'security_classification', ''), 'PUBLIC')
        from case_types t where t.tenant = audit.tenant and t.key = substr(subject, 11)
        order by t.version desc limit 1
    ), 'RESTRICTED') where subject like 'case_type/%';
alter table audit enable trigger audit_keeps;
