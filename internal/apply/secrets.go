package apply

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/yaml"
)

// fingerprint returns a secret's fingerprint, as the server computes it.
func fingerprint(secret string) (string, error) {
	if strings.HasPrefix(secret, "whsk_") {
		seed, err := outbound.ParsePrivateKey(secret)
		if err != nil {
			return "", err
		}
		return outbound.Fingerprint(outbound.FormatPublicKey(seed)), nil
	}
	key, err := outbound.ParseKey(secret)
	return outbound.Fingerprint(outbound.FormatKey(key)), err
}

// secret returns a signing secret, and reports a fault if it is not one.
func (r *reader) secret(t text, path string) string {
	before := len(r.wrong)
	secret := r.line(t, path)
	if t.line == 0 || len(r.wrong) > before {
		return secret
	}
	if _, err := fingerprint(secret); err != nil {
		where := ""
		if t.env != "" {
			where = " (the variable " + t.env + ")"
		}
		r.fault(t.line, "%s: is not a secret%s: %v", path, where, err)
	}
	return secret
}

// callbackSecrets reads the secrets that an entry sets for the callbacks of its type.
func (r *reader) callbackSecrets(n yaml.Node, entry typeNode, t *casetype.Type) (all []Secret) {
	shared := t.CallbackSecret == casetype.SecretPerType
	callbacks := t.CallbackNames()
	switch {
	case entry.CallbackSecret.line > 0 && !shared:
		r.fault(entry.CallbackSecret.line, "/callback_secret: each callback of this type has a secret: "+
			"write callback_secrets: { KEY: { env: NAME } }, or callback_secret: type in the definition")
	case entry.CallbackSecret.line > 0:
		if secret := r.secret(entry.CallbackSecret, "/callback_secret"); secret != "" {
			all = append(all, Secret{casetype.TypeSecret, secret, entry.CallbackSecret.line})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entry.CallbackSecrets)) {
		path := "/callback_secrets/" + name
		switch given := entry.CallbackSecrets[name]; {
		case shared:
			r.fault(n.Below(path).Line,
				"%s: all callbacks of this type share a secret: write callback_secret: { env: NAME }", path)
		case !slices.Contains(callbacks, name):
			r.fault(n.Below(path).Line, "%s: is not a callback; there are %s", path,
				cmp.Or(strings.Join(callbacks, ", "), "none"))
		default:
			all = append(all, Secret{name, r.secret(given, path), given.line})
		}
	}
	return all
}

// signingSecret is a secret in the server's list.
type signingSecret struct {
	ID          string  `json:"id"`
	ExpiresAt   *string `json:"expires_at"`
	Fingerprint string  `json:"fingerprint"`
}

// lasting reports whether one of the secrets has the fingerprint and does not expire.
func lasting(all []signingSecret, fingerprint string) bool {
	return slices.ContainsFunc(all, func(s signingSecret) bool {
		return s.Fingerprint == fingerprint && s.ExpiresAt == nil
	})
}

// signing lists the secrets at a path. There are none if there is no such type or callback.
func (c *applier) signing(ctx context.Context, path string) ([]signingSecret, error) {
	var there struct {
		Items []signingSecret `json:"items"`
	}
	err := c.server.Get(ctx, path, &there)
	if errors.Is(err, fault.NotFound) {
		err = nil
	}
	return there.Items, err
}

// rotated describes the rotation of an existing secret.
func (c *applier) rotated() string {
	return c.would("rotated") + "; the earlier one signs too for " + overlap
}

var overlap = strings.TrimSuffix(endpoint.DefaultOverlap.String(), "0m0s")

// callbackSecrets sets the secrets of a type's callbacks to those of the plan, and reports the
// generated ones that the plan does not set.
func (c *applier) callbackSecrets(ctx context.Context, path string, t Type, drawn map[string]string, r *report) error {
	var wrong []error
	for _, secret := range t.Secrets {
		line, err := c.callbackSecret(ctx, path+"/callbacks/"+url.PathEscape(secret.Callback), secret,
			drawn[secret.Callback])
		if err != nil {
			label := "case type " + t.CaseType.Key + ": secret of " + callbackName(secret.Callback)
			here := place{c.plan.file, secret.line}
			wrong = append(wrong, refused(err, label, func(string) place { return here }))
			continue
		}
		delete(drawn, secret.Callback)
		if line == "" {
			continue
		}
		r.also("secret of " + callbackName(secret.Callback) + ": " + line)
	}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		r.lines = append(r.lines, "secret of "+callbackName(name)+", shown this once: "+drawn[name])
	}
	return errors.Join(wrong...)
}

// callbackSecret sets the secret of a callback to the plan's, and returns a description of the change, or "" if
// there is none. A secret that the server has just generated for it is deleted, since no receiver has it.
func (c *applier) callbackSecret(
	ctx context.Context, path string, secret Secret, drawn string,
) (line string, err error) {
	mark, err := fingerprint(secret.Text)
	if err != nil {
		return "", err
	}
	there, err := c.signing(ctx, path+"/secrets")
	if err != nil || lasting(there, mark) {
		return "", err
	}
	if line = c.rotated(); drawn != "" || len(there) == 0 {
		line = c.would("set")
	}
	if c.DryRun {
		return line, nil
	}
	err = c.server.Post(ctx, path+"/secret", map[string]string{"secret": secret.Text}, nil)
	if err != nil || drawn == "" {
		return line, err
	}
	needless, err := fingerprint(drawn)
	for _, s := range there {
		if err == nil && s.Fingerprint == needless {
			err = c.server.Delete(ctx, path+"/secrets/"+url.PathEscape(s.ID))
		}
	}
	return line, err
}

// callbackName returns a callback's name for people.
func callbackName(name string) string {
	if name == casetype.TypeSecret {
		return "all callbacks"
	}
	return "the callback of " + name
}

// endpointSecret sets the secret of an existing endpoint to the plan's.
func (c *applier) endpointSecret(ctx context.Context, path, name string, r *report) error {
	secret := c.plan.Secrets[name]
	if secret == "" {
		return nil
	}
	mark, err := fingerprint(secret)
	if err != nil {
		return err
	}
	there, err := c.signing(ctx, path+"/secrets")
	if err != nil || lasting(there, mark) {
		return c.ofEndpoint(name, err)
	}
	if !c.DryRun {
		if err := c.server.Post(ctx, path+"/secrets", map[string]string{"secret": secret}, nil); err != nil {
			return c.ofEndpoint(name, err)
		}
	}
	r.also("secret: " + c.rotated())
	return nil
}
