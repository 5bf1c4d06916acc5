-- +goose Up
-- Ids of users are their tenant's own, drawn in turn, so that they count nobody else's.
-- Those that there are stay what they are. A primary key can't be changed here, so that
-- the table is written anew.

create table users_by_tenant (
    id         integer not null,
    tenant     integer not null references tenants (id),
    email      text not null, -- in lower case
    name       text not null,
    role       text not null,
    clearance  text not null,
    password   text not null, -- argon2id in PHC form; '': none
    issuer     text not null, -- of the OpenID Connect identity; '': none
    subject    text not null,
    disabled   boolean not null,
    epoch      integer not null, -- sessions of another epoch are over
    revision   integer not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant, id),
    unique (tenant, email)
);
insert into users_by_tenant (id, tenant, email, name, role, clearance, password, issuer, subject, disabled, epoch,
        revision, created_at, updated_at)
    select id, tenant, email, name, role, clearance, password, issuer, subject, disabled, epoch,
        revision, created_at, updated_at
    from users;

alter table sessions add column tenant integer not null default 0; -- 0: nobody has signed in
update sessions set tenant = coalesce((select tenant from users where id = user_id), 0);
drop index sessions_by_user;
create index sessions_by_user on sessions (tenant, user_id);

drop table users;
alter table users_by_tenant rename to users;
create unique index users_by_identity on users (tenant, issuer, subject) where issuer <> '';
insert into counters (tenant, name, value) select tenant, 'ids/users', max(id) from users group by tenant;

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
drop trigger audit_keeps_on_update;
update audit set classification = coalesce((
        select e.reached from endpoints e where e.tenant = audit.tenant and e.id = substr(subject, 10)
    ), 'RESTRICTED') where subject like 'endpoint/%';
update audit set classification = coalesce((
        select c.classification from cases c where c.tenant = audit.tenant and c.id = cast(substr(subject, 6) as bigint)
    ), 'RESTRICTED') where subject like 'case/%';
update audit set classification = coalesce((
        select coalesce(nullif(json_extract(t.definition, '$.security_classification'), ''), 'PUBLIC')
        from case_types t where t.tenant = audit.tenant and t.key = substr(subject, 11)
        order by t.version desc limit 1
    ), 'RESTRICTED') where subject like 'case_type/%';
-- +goose StatementBegin
create trigger audit_keeps_on_update before update on audit begin
    select raise(abort, 'the audit is append-only');
end;
-- +goose StatementEnd
