package ccd_test

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/ccd"
)

func TestBuiltInComplexTypesTakeTheirValues(t *testing.T) {
	im := imported(t, made(small("CaseField", `[{"CaseTypeID": "A", "ID": "policy", "FieldType": "OrganisationPolicy"},
		{"CaseTypeID": "A", "ID": "link", "FieldType": "CaseLink"}, {"CaseTypeID": "A", "ID": "ttl", "FieldType": "TTL"},
		{"CaseTypeID": "A", "ID": "address", "FieldType": "AddressUK"},
		{"CaseTypeID": "A", "ID": "label", "FieldType": "Label", "Label": "Read this"}]`)), ccd.Options{})
	ct, err := casetype.Parse("A.yaml", im.Types[0].YAML)
	if err != nil {
		t.Fatal(err)
	}
	for data, fits := range map[string]bool{
		`{"policy": {"Organisation": {"OrganisationID": "O1", "OrganisationName": "One"}, "OrgPolicyReference": "r",
			"OrgPolicyCaseAssignedRole": "[APPLICANT]"}}`: true,
		`{"policy": {"Organisation": {"OrganisationID": 1}}}`:                                false,
		`{"policy": {"Role": "[APPLICANT]"}}`:                                                false,
		`{"link": {"CaseReference": "4539148803436467"}}`:                                    true,
		`{"link": {"CaseReference": "4539-1488-0343-6467"}}`:                                 true,
		`{"link": {"CaseReference": "7"}}`:                                                   false,
		`{"link": "4539148803436467"}`:                                                       false,
		`{"ttl": {"SystemTTL": "2030-01-01", "OverrideTTL": null, "Suspended": "No"}}`:       true,
		`{"ttl": {"SystemTTL": "soon"}}`:                                                     false,
		`{"address": {"AddressLine1": "1 High Street", "AddressLine3": null, "County": ""}}`: true,
		`{"address": {"Street": "1"}}`:                                                       false,
		`{"label": "Read this"}`:                                                             false,
		`{"label": null}`:                                                                    false,
	} {
		sent, err := casetype.DecodeSent([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := ct.Validate(casetype.Budget(t.Context()), sent, "")
		if err != nil || (len(wrong) == 0) != fits {
			t.Errorf("%s: %v, %v", data, wrong, err)
		}
	}
}
