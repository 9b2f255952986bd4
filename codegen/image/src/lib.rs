//! Our linker: functions and the runtime image laid into a static ELF executable.
