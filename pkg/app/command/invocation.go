package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
)

// invocation is what the commands of one run share.
type invocation struct {
	program    Program
	configPath string
}

const defaultConfig = "sparrow.yaml"

// configured loads the configuration file, which must be there.
func (s *invocation) configured() (*config.Settings, error) {
	path := s.configPath
	if path == "" {
		path = defaultConfig
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && s.configPath == "" {
		return nil, usagef("there is no %s here: name one with --config, or try `sparrow dev`, which needs none", defaultConfig)
	}
	settings, err := config.Load(path, s.program.Kinds, s.program.Env)
	if err != nil {
		return nil, usageError{err}
	}
	return settings, nil
}

// settings loads the configuration file; where none is named and none is here,
// it is the one that `sparrow dev` brings with it.
func (s *invocation) settings() (*config.Settings, error) {
	if s.configPath == "" {
		if _, err := os.Stat(defaultConfig); errors.Is(err, os.ErrNotExist) {
			return config.Dev(s.program.Kinds, config.DevOptions{})
		}
	}
	return s.configured()
}

// running reaches the gateway that runs on the configured data directory.
func (s *invocation) running(ctx context.Context) (*admin.Client, error) {
	settings, err := s.settings()
	if err != nil {
		return nil, err
	}
	client, err := admin.Dial(ctx, settings.Config.Data)
	if errors.Is(err, admin.ErrNoGateway) {
		return nil, fmt.Errorf("%w on %s: start one with `sparrow serve` or `sparrow dev`, or run this in its directory", admin.ErrNoGateway, settings.Config.Data)
	}
	return client, err
}

// questions are what can be answered with and without a running gateway.
type questions interface {
	admin.Questions
	Close()
}

// stored reaches the running gateway or, when none runs, opens what it stored.
func (s *invocation) stored(ctx context.Context) (questions, error) {
	settings, err := s.settings()
	if err != nil {
		return nil, err
	}
	client, err := admin.Dial(ctx, settings.Config.Data)
	if err == nil {
		return client, nil
	}
	if !errors.Is(err, admin.ErrNoGateway) {
		return nil, err
	}
	return gateway.OpenStored(ctx, settings)
}

func (s *invocation) logger(json bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(s.program.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(s.program.Stderr, options))
}
