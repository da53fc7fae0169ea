package bigquerytest

import (
	"errors"
	"fmt"
	"time"
)

// Limits of the real service, and what stands in for its clocks.
const (
	// DefaultMaxRequest is the size at which the service refuses an
	// AppendRowsRequest: "AppendRows request too large: ... limit 10485760".
	DefaultMaxRequest = 10 << 20
	// DefaultTokenLife is how long an access token lives.
	DefaultTokenLife = time.Hour
	// DefaultIdle is how long a connection may be silent: the service closes it
	// after ten minutes.
	DefaultIdle = 10 * time.Minute
	// DefaultStreamLife is how long a stream lives after its last append.
	DefaultStreamLife = 3 * 24 * time.Hour
)

// Config says what kind of server to start. The zero value is strict, keeps
// whole rows, speaks plain text on loopback and requires tokens.
type Config struct {
	// Store holds the tables, streams and rows. It outlives the server, so that
	// a server started again on it has all that was committed. Start makes one
	// in the test's directory when it is nil.
	Store *Store
	// Project is the only project there is; others are not found. Default "test".
	Project string
	// Location is where datasets are when their insert names none. Default "US".
	Location string
	// GRPCAddress and HTTPAddress are what to listen on. Default a free port of
	// 127.0.0.1; name them to start again where an earlier server was.
	GRPCAddress, HTTPAddress string
	// TLS serves both ports with a certificate of its own (Server.RootCAs).
	TLS bool
	// Anonymous answers calls without a token.
	Anonymous bool
	// TokenLife is how long a token is good for. Default an hour.
	TokenLife time.Duration
	// Idle is after how much silence a connection is closed. Default ten minutes.
	Idle time.Duration
	// StreamLife is how long after its last append a stream is gone. Default
	// three days. The default streams stay.
	StreamLife time.Duration
	// MaxRequest bounds an AppendRowsRequest, in bytes. Default 10 MiB.
	MaxRequest int
	// MaxRowErrors is how many refused rows a response names. The service says
	// that its list may not be complete. Default 100.
	MaxRowErrors int
}

// withDefaults fills in what is left open and refuses what makes no sense.
func (c Config) withDefaults() (Config, error) {
	if c.Store == nil {
		return c, errors.New("start bigquery server: no store: make one with NewStore")
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"TokenLife", &c.TokenLife, DefaultTokenLife}, {"Idle", &c.Idle, DefaultIdle}, {"StreamLife", &c.StreamLife, DefaultStreamLife},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("start bigquery server: %s: %v is negative", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if c.MaxRequest < 0 || c.MaxRowErrors < 0 {
		return c, errors.New("start bigquery server: MaxRequest and MaxRowErrors: no negative numbers")
	}
	if c.MaxRequest == 0 {
		c.MaxRequest = DefaultMaxRequest
	}
	if c.MaxRowErrors == 0 {
		c.MaxRowErrors = 100
	}
	c.Project = or(c.Project, "test")
	c.Location = or(c.Location, "US")
	c.GRPCAddress = or(c.GRPCAddress, "127.0.0.1:0")
	c.HTTPAddress = or(c.HTTPAddress, "127.0.0.1:0")
	return c, nil
}

func or(value, usual string) string {
	if value == "" {
		return usual
	}
	return value
}
