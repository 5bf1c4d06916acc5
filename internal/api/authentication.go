package api

import (
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// authenticate finds out who a request comes from.
func (a *API) authenticate(x *rest.Exchange) error {
	if x.Open {
		return a.loadSession(x)
	}
	if x.Request.Header.Get("Authorization") == "" {
		if err := a.authenticateSession(x); err != nil {
			return err
		}
		if forOperators(x.Request.URL.Path) {
			return a.service.RefuseTenantOperations(x.Request.Context(), x.Principal)
		}
		return nil
	}
	scheme, bearer, _ := strings.Cut(x.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...")
	}
	bearer = strings.TrimSpace(bearer)
	if access.IsOperator(bearer) {
		x.Principal = casework.Operator(x.Address())
		return a.authenticateOperator(bearer, x.Request.URL.Path)
	}
	if err := a.byToken(x, bearer); err != nil {
		return err
	}
	if forOperators(x.Request.URL.Path) {
		return a.service.RefuseTenantOperations(x.Request.Context(), x.Principal)
	}
	return nil
}

// byToken finds out whose token a request carries.
func (a *API) byToken(x *rest.Exchange, bearer string) (err error) {
	if x.Principal, err = a.service.Authenticate(x.Request.Context(), bearer, x.Address()); err != nil {
		return err
	}
	return a.service.CheckHost(x.Request.Context(), x.Principal, x.Request.Host)
}

// reauthenticate is authenticate for a request that takes its time. It keeps no
// session from ending.
func (a *API) reauthenticate(x *rest.Exchange) error {
	if header := x.Request.Header.Get("Authorization"); header != "" {
		_, bearer, _ := strings.Cut(header, " ")
		return a.byToken(x, strings.TrimSpace(bearer))
	}
	if err := a.loadSession(x); err != nil {
		return err
	}
	return a.inSession(x)
}
