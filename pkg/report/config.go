package report

import (
	"errors"
	"net/url"

	"github.com/getsentry/sentry-go"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
	"github.com/sparrow-edge/sparrow/pkg/secret"
)

// Config says where incidents are reported. The zero Config reports to the log.
type Config struct {
	// DSN is the client key of a Sentry project, "https://KEY@HOST/PROJECT".
	// "" reports to the log instead.
	DSN secret.Value `yaml:"dsn"`
	// Environment is the environment shown at Sentry, such as "production".
	Environment string `yaml:"environment"`
	// ServerName names this process at Sentry. "" sends none: the host's name is
	// never sent.
	ServerName string `yaml:"serverName"`
}

var errDSN = errors.New("dsn: not a Sentry DSN; want https://KEY@HOST/PROJECT, found in the Sentry project's settings under Client Keys")

// Check reports what is wrong with the configuration and what to do about it.
// The error never contains the DSN.
func (c Config) Check() error {
	if c.DSN == "" {
		return nil
	}
	dsn := c.DSN.Reveal()
	if _, err := sentry.NewDsn(dsn); err != nil {
		return errDSN // not wrapped: the library's error quotes the DSN
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return errDSN
	}
	if u.Scheme != "https" && !loopback.IsHost(u.Hostname()) {
		return errors.New("dsn: plain http is only allowed to a loopback address; use https")
	}
	return nil
}

// secrets are the DSN and its parts that only Sentry may see.
func (c Config) secrets() []string {
	u, err := url.Parse(c.DSN.Reveal())
	if err != nil || u.User == nil {
		return nil
	}
	password, _ := u.User.Password()
	return []string{c.DSN.Reveal(), u.User.Username(), password}
}
