package loopback_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

func TestIsHostPort(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true,
		"localhost:80": true, "127.0.0.1:8080": true, "[::1]:443": true,
		"": false, ":80": false, "localhost.example.com": false, "example.com": false, "10.0.0.1": false, "0.0.0.0": false, "127.0.0.1.example.com:80": false, "[::2]:80": false,
	} {
		if got := loopback.IsHostPort(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
