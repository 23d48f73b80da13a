//! Why there is no isolate.

/// Why a component cannot be run. The texts are for operators; none holds a path.
#[derive(Debug, thiserror::Error)]
pub enum IsolateError {
    /// The engine's configuration was refused.
    #[error("the wasm engine cannot start: {0:#}")]
    Engine(wasmtime::Error),
    /// The thread that counts time could not be started.
    #[error("the wasm engine's clock cannot start: {0}")]
    Ticker(std::io::Error),
    /// The component's file could not be read.
    #[error("the component cannot be read: {0}")]
    Read(std::io::Error),
    /// The file is another one than the revision was made of.
    #[error("the component's file was replaced; the revision of the new one takes over")]
    Replaced,
    /// The file is machine code that somebody else compiled.
    #[error(
        "the file is precompiled machine code, which is never accepted; deploy the .wasm component"
    )]
    Precompiled,
    /// The file is a core module.
    #[error("the file is a core wasm module; a component is needed (build for wasm32-wasip2)")]
    CoreModule,
    /// The file does not compile.
    #[error("the component does not compile: {0:#}")]
    Compile(wasmtime::Error),
    /// It imports something that is not offered here.
    #[error("the component does not fit this host: {0:#}")]
    Link(wasmtime::Error),
    /// It exports nothing that the host could call.
    #[error(
        "the component exports neither wasi:http/incoming-handler@0.2 nor rookery:app/sessions@1.0.0, so there is \
         nothing to call"
    )]
    NothingToCall,
    /// The manifest asks for more memory than the operator allows.
    #[error("`memory` asks for {asked} bytes, and this server allows {allowed}")]
    Memory {
        /// What the manifest says.
        asked: u64,
        /// What the operator says.
        allowed: u64,
    },
}
