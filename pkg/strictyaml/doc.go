// Package strictyaml reads configuration files so that a mistake is found where
// it was made: an unknown key, a repeated key or a value of the wrong kind is an
// error with file and line, an unknown key with the nearest known one, and all
// of a file's unknown keys are told at once. It quotes keys, never values, so
// that no secret of a configuration shows up in an error.
//
// Values may refer to the environment and to files, ${NAME} and ${file:/path},
// where the caller asks for it; the replacement happens inside the parsed
// value, so that nothing a variable holds can change the file's structure.
package strictyaml
