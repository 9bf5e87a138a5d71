//! The swapcheck command.

fn main() -> std::process::ExitCode {
    swapcheck::cli::main()
}
