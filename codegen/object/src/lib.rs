//! Functions and data as an ELF relocatable object.
