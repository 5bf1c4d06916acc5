-- +goose Up
-- Ids of cases and contacts are their tenant's own: small ones, which a tenant draws in
-- turn, others draw as well.

alter table cases drop constraint cases_pkey, add primary key (tenant, id);

alter table case_contacts drop constraint case_contacts_contact_fkey;
alter table contacts drop constraint contacts_pkey, add primary key (tenant, id);
alter table case_contacts add foreign key (tenant, contact) references contacts (tenant, id);

alter table tenants add column contact_ids text not null default ''; -- sequential; empty: random
