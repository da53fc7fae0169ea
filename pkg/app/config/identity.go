package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// identityKeyFile holds the key with which user ids that are personal data are
// hashed, where the configuration gives none.
const identityKeyFile = "identity.key"

// OpenSanitizer makes the sanitizer of the configuration. Without a configured
// key it uses the one in the data directory, which it makes the first time: the
// same user then stays the same user at the vendors for as long as the
// directory is kept.
func OpenSanitizer(s *Settings) (*sanitizer.Sanitizer, error) {
	if s.Config.Sanitizer.Key != "" {
		return newSanitizer(s.Config.Sanitizer)
	}
	key, err := identityKey(filepath.Join(s.Config.Data, identityKeyFile))
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	return newSanitizer(withKey(s.Config.Sanitizer, key))
}

func newSanitizer(c sanitizer.Config) (*sanitizer.Sanitizer, error) {
	clean, err := sanitizer.New(c)
	if err != nil {
		return nil, fmt.Errorf("sanitizer: %w", err)
	}
	return clean, nil
}

// withKey is the configuration with a key where it has none.
func withKey(c sanitizer.Config, key string) sanitizer.Config {
	if c.Key == "" {
		c.Key = key
	}
	return c
}

// noKey stands in for the key while a configuration is only checked.
const noKey = "only to check the configuration"

func identityKey(path string) (string, error) {
	text, err := os.ReadFile(path)
	if key := strings.TrimSpace(string(text)); key != "" {
		return key, nil
	}
	// A loss of power may have left the file of an earlier release empty.
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	key := hex.EncodeToString(random)
	return key, WriteDurably(path, key+"\n")
}

// WriteDurably makes a file that is there, whole, whenever the machine loses power
// from then on. Until then the file is as it was.
func WriteDurably(path, text string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// PreviewSanitizer is the gateway's own, if it has run here: ids that are
// personal data then look as they do at the vendors.
func PreviewSanitizer(s *Settings) (*sanitizer.Sanitizer, error) {
	key, err := os.ReadFile(filepath.Join(s.Config.Data, identityKeyFile))
	if err != nil {
		return newSanitizer(withKey(s.Config.Sanitizer, noKey))
	}
	return newSanitizer(withKey(s.Config.Sanitizer, strings.TrimSpace(string(key))))
}
