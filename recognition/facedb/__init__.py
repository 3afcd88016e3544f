"""FaceDatabaseFAISS stores, in and out: people, visits, references and the queue of a program that greets by camera."""
