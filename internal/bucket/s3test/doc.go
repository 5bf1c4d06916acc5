// Package s3test gives tests a real server of S3: Versity's gateway, which is built from the module in tools/s3. It
// checks signatures, and keeps objects as files.
package s3test
