package bucket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/fault"
)

func TestParseReadsAddresses(t *testing.T) {
	for text, want := range map[string]bucket.Address{
		"s3://files":             {Bucket: "files"},
		"s3://files/a/b/":        {Bucket: "files", Prefix: "a/b/"},
		"s3://files?region=eu-1": {Bucket: "files", Region: "eu-1"},
		"s3://files/a?endpoint=https://S3.example.com/&region=eu-1": {
			Bucket: "files", Prefix: "a/", Endpoint: "https://s3.example.com", Region: "eu-1"},
		"s3://files?endpoint=http://127.0.0.1:9000": {Bucket: "files", Endpoint: "http://127.0.0.1:9000"},
		"s3://files?endpoint=http://[::1]:9000":     {Bucket: "files", Endpoint: "http://[::1]:9000"},
		"s3://files?endpoint=http://minio:9000":     {Bucket: "files", Endpoint: "http://minio:9000"},
		"s3://files?endpoint=http://s3.x.internal":  {Bucket: "files", Endpoint: "http://s3.x.internal"},
	} {
		got, err := bucket.Parse(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if again, err := bucket.Parse(got.String()); again != got || err != nil {
			t.Errorf("%s: its text %s is read as %+v, %v", text, got, again, err)
		}
	}
}

func TestParseRefusesOthers(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "s3://BUCKET",
		"https://files":                      "s3://BUCKET",
		"s3:files":                           "s3://BUCKET",
		"s3://":                              "name of a bucket",
		"s3://Files":                         "name of a bucket",
		"s3://a_b":                           "name of a bucket",
		"s3://files:80/a":                    "s3://BUCKET",
		"s3://files#a":                       "s3://BUCKET",
		"s3://files/a//b":                    "empty part",
		"s3://files/../b":                    "empty part",
		"s3://key:secret@files":              "AWS_ACCESS_KEY_ID",
		"s3://files?secret=x":                "endpoint and region",
		"s3://files?region=a;b=c":            "can't be read",
		"s3://files?region=a&region=b":       "each once",
		"s3://files?endpoint=s3.example.com": "such as https://",
		"s3://files?endpoint=ftp://s3.example.com":  "neither https://",
		"s3://files?endpoint=http://s3.example.com": "Use https://",
		"s3://files?endpoint=http://8.8.8.8":        "Use https://",
		"s3://files?endpoint=https://k:secret@host": "AWS_ACCESS_KEY_ID",
		"s3://files?endpoint=https://host/files":    "before the ?",
	} {
		_, err := bucket.Parse(text)
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats the secret: %v", text, err)
		}
	}
}

func TestOpenAsksForBothHalvesOfTheCredentials(t *testing.T) {
	at := bucket.Address{Bucket: "files", Endpoint: "http://127.0.0.1:9000"}
	for name, a := range map[string]bucket.Address{
		"": at, "AWS_ACCESS_KEY_ID": {Bucket: "files"}, "AWS_SECRET_ACCESS_KEY": at,
	} {
		_, err := bucket.Open(a, func(asked string) string {
			if asked == name {
				return "half"
			}
			return ""
		})
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
			t.Errorf("with %q alone: %v", name, err)
		}
	}
}
