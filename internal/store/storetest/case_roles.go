package storetest

import (
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

var caseRoleTests = map[string]func(*fixture){
	"roles on a case are those of its holders": func(f *fixture) {
		ctx := f.t.Context()
		c, other := f.aCase(f.tenant, 1), f.aCase(f.other, 2)
		other.ID = c.ID
		f.insert(c, other)
		set := func(tenant int64, holder string, roles ...string) {
			f.update(func(tx *store.Tx) error { return tx.SetCaseRoles(ctx, tenant, c.ID, holder, roles) })
		}
		set(f.tenant, "user/7", "[OWNER]", "[PAYER]", "[OWNER]")
		set(f.tenant, "group/clerk", "[PAYER]", "[HELPER]")
		set(f.other, "user/7", "[OTHER]")
		f.update(func(tx *store.Tx) error { return tx.AddCaseRoles(ctx, f.tenant, c.ID, "user/8", []string{"[OWNER]"}) })
		of := func(holders ...string) []string {
			return must[[]string](f)(f.store.CaseRoles(ctx, f.tenant, c.ID, holders))
		}
		f.equal(of("user/7"), []string{"[OWNER]", "[PAYER]"})
		f.equal(of("user/7", "group/clerk"), []string{"[HELPER]", "[OWNER]", "[PAYER]"})
		f.equal(of("user/9"), []string(nil))
		f.equal(of(), []string(nil))
		reads := func(holder string, granted ...string) int {
			return len(f.cases(f.store.Cases(ctx, f.tenant, store.CaseFilter{
				Without: []string{c.Type}, Granted: granted, Holders: []string{holder}, Limit: 9, Clearance: casetype.Restricted,
			})))
		}
		at := c.Type + "/" + c.State + "/"
		f.equal([]int{reads("user/7", at+"[OWNER]"), reads("user/7", at+"[HELPER]"), reads("user/9", at+"[OWNER]"),
			reads("user/7", c.Type+"/none/[OWNER]"), reads("group/clerk", at+"[HELPER]", at+"[OWNER]")}, []int{1, 0, 0, 0, 1})
		set(f.tenant, "user/7")
		f.equal(of("user/7"), []string(nil))
		f.equal(must[[]store.CaseGrant](f)(f.store.CaseGrants(ctx, f.tenant, c.ID)), []store.CaseGrant{
			{Holder: "group/clerk", Role: "[HELPER]"}, {Holder: "group/clerk", Role: "[PAYER]"},
			{Holder: "user/8", Role: "[OWNER]"},
		})
	},
}
