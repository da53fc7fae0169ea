package report

import (
	"errors"
	"log/slog"
	"net/url"

	"github.com/getsentry/sentry-go"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

// Config says where incidents are reported. The zero Config reports to the log.
type Config struct {
	// DSN is the client key of a Sentry project, "https://KEY@HOST/PROJECT".
	// "" reports to the log instead.
	DSN string `yaml:"dsn"`
	// Environment is the environment shown at Sentry, such as "production".
	Environment string `yaml:"environment"`
	// ServerName names this process at Sentry. "" sends none: the host's name is
	// never sent.
	ServerName string `yaml:"serverName"`
}

// Errors of Check. They never contain the DSN.
var (
	errDSN   = errors.New("dsn: not a Sentry DSN; want https://KEY@HOST/PROJECT, found in the Sentry project's settings under Client Keys")
	errPlain = errors.New("dsn: plain http is only allowed to a loopback address; use https")
)

// Check reports what is wrong with the configuration and what to do about it.
// The error never contains the DSN.
func (c Config) Check() error {
	if c.DSN == "" {
		return nil
	}
	if _, err := sentry.NewDsn(c.DSN); err != nil {
		return errDSN // not wrapped: the library's error quotes the DSN
	}
	u, err := url.Parse(c.DSN)
	if err != nil {
		return errDSN
	}
	if u.Scheme != "https" && !loopback.IsHost(u.Hostname()) {
		return errPlain
	}
	return nil
}

// String is the configuration without the DSN.
func (c Config) String() string {
	dsn := "none"
	if c.DSN != "" {
		dsn = placeholder
	}
	return "dsn " + dsn + ", environment " + c.Environment + ", server name " + c.ServerName
}

// GoString is String, so that no verb of fmt prints the DSN.
func (c Config) GoString() string { return "report.Config{" + c.String() + "}" }

// LogValue is String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// secrets are the DSN and its parts that only Sentry may see.
func (c Config) secrets() []string {
	u, err := url.Parse(c.DSN)
	if err != nil || u.User == nil {
		return nil
	}
	password, _ := u.User.Password()
	return []string{c.DSN, u.User.Username(), password}
}
