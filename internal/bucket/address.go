package bucket

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/casehook/casehook/internal/fault"
)

// Address says where a bucket is, and which of its objects are ours.
type Address struct {
	Bucket   string
	Prefix   string // of the names of all objects: empty, or with a slash at its end
	Endpoint string // "http://HOST:PORT" or "https://HOST:PORT"; empty: Amazon's
	Region   string // empty: us-east-1 at an endpoint, and at Amazon the bucket's
}

// form is how an address is written.
const form = "s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION"

// Parse reads an address of the form s3://BUCKET/PREFIX?endpoint=URL&region=REGION, of which only the bucket has to be
// there. It refuses user information, since credentials are no part of an address; http is refused but for
// addresses and names that only a private network has. Errors are of the kind fault.Invalid, and repeat nothing that
// might be a secret.
func Parse(address string) (Address, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "" || u.Port() != "" {
		return Address{}, invalid("It has to be of the form %s.", form)
	}
	if u.User != nil {
		return Address{}, invalid("It has a user or password. Leave them out, and set AWS_ACCESS_KEY_ID and " +
			"AWS_SECRET_ACCESS_KEY in the environment.")
	}
	a := Address{Bucket: u.Host}
	if s3utils.CheckValidBucketNameStrict(a.Bucket) != nil {
		return Address{}, invalid("%q can't be the name of a bucket. The form is %s.", a.Bucket, form)
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		if slices.ContainsFunc(strings.Split(prefix, "/"), unfit) {
			return Address{}, invalid("Its prefix %q has an empty part, or one of dots.", prefix)
		}
		a.Prefix = prefix + "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, invalid("Its parameters can't be read. The form is %s.", form)
	}
	for name, values := range query {
		if name != "endpoint" && name != "region" || len(values) != 1 {
			return Address{}, invalid("Its parameters may be endpoint and region, each once.")
		}
	}
	a.Region = query.Get("region")
	a.Endpoint, err = endpoint(query.Get("endpoint"))
	return a, err
}

// unfit reports whether a part of a prefix may be taken for something else on the way.
func unfit(part string) bool { return part == "" || part == "." || part == ".." }

// String returns the address in the form that Parse reads.
func (a Address) String() string {
	u := url.URL{Scheme: "s3", Host: a.Bucket, Path: "/" + strings.TrimSuffix(a.Prefix, "/")}
	if a.Prefix == "" {
		u.Path = ""
	}
	var parameters []string
	if a.Endpoint != "" {
		parameters = append(parameters, "endpoint="+a.Endpoint)
	}
	if a.Region != "" {
		parameters = append(parameters, "region="+url.QueryEscape(a.Region))
	}
	u.RawQuery = strings.Join(parameters, "&")
	return u.String()
}

// endpoint returns the canonical form of an endpoint.
func endpoint(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return "", invalid("Its endpoint has to be a URL such as https://s3.example.com.")
	}
	switch {
	case u.User != nil:
		return "", invalid("Its endpoint has a user or password. Leave them out, and set AWS_ACCESS_KEY_ID and " +
			"AWS_SECRET_ACCESS_KEY in the environment.")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", invalid("Its endpoint has to be a scheme, a host and perhaps a port; the bucket comes before the ?.")
	case u.Scheme == "https", u.Scheme == "http" && private(u.Hostname()):
		return u.Scheme + "://" + strings.ToLower(u.Host), nil
	case u.Scheme == "http":
		return "", invalid("Its endpoint %s is not one of a private network. Use https://.", u.Hostname())
	}
	return "", invalid("Its endpoint begins with neither https:// nor http://.")
}

// private reports whether a host can only be in a private network, where people do without TLS: a loopback or private
// address, a name without a dot, or one under a domain that public DNS does not have.
func private(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return !strings.Contains(host, ".") || slices.ContainsFunc([]string{".localhost", ".internal", ".local"},
		func(domain string) bool { return strings.HasSuffix(host, domain) })
}

// host returns the host and port of the endpoint, and whether it speaks TLS.
func (a Address) host() (host string, secure bool) {
	if a.Endpoint == "" {
		if a.Region == "" {
			return "s3.amazonaws.com", true
		}
		return "s3." + a.Region + ".amazonaws.com", true
	}
	scheme, host, _ := strings.Cut(a.Endpoint, "://")
	return host, scheme == "https"
}

func invalid(detail string, args ...any) error {
	return fault.New(fault.Invalid, "bucket.address", "This is no address of a bucket. "+detail, args...)
}
