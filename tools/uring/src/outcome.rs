//! How a command ends: its exit status, or why it could not do its work.

/// How a command ended: the exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong.
    Fine,
    /// Something wrong was found.
    Wrong,
    /// The command line, or what it names, makes no sense.
    Usage,
    /// Privileges are missing, so there is no answer.
    NoRights,
    /// There is no io_uring here.
    Absent,
    /// What the program that was run ended with.
    Other(u8),
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Fine => 0,
            Exit::Wrong => 1,
            Exit::Usage => 2,
            Exit::NoRights => 3,
            Exit::Absent => 77,
            Exit::Other(status) => status,
        }
        .into()
    }
}

/// Why a command could not do its work: one line with cause and cure, and the exit status.
#[derive(Debug)]
pub struct Failure {
    pub text: String,
    pub exit: Exit,
}

impl Failure {
    pub fn usage(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::Usage,
        }
    }

    pub fn rights(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::NoRights,
        }
    }

    pub fn wrong(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            exit: Exit::Wrong,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A reader that closes early, such as head, is no error.
        let exit = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Exit::Fine,
            std::io::ErrorKind::PermissionDenied => Exit::NoRights,
            _ => Exit::Wrong,
        };
        let text = match error.kind() {
            std::io::ErrorKind::StorageFull => {
                "the output cannot be written: its device is full".to_owned()
            }
            _ => error.to_string(),
        };
        Self { text, exit }
    }
}

pub type Outcome = Result<Exit, Failure>;
