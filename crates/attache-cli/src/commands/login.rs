//! `attache login`: a person signs in with a browser.

use crate::commands::block_on;
use crate::error::{Failure, Result};
use crate::listener::Door;
use crate::output::Output;
use crate::store;
use crate::tokens::SignInFile;
use attache::{ErrorKind, Remote};
use attache_salesforce::{RefreshToken, SignIn, SignedIn};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where to sign in, and where to keep what that gives.
#[derive(Args)]
pub struct Arguments {
    /// Where to sign in: the org's own address, or `https://test.salesforce.com` for sandboxes.
    #[arg(long, default_value = "https://login.salesforce.com")]
    url: String,
    /// The client id (consumer key) of the connected app. Its callback URL must be
    /// `http://localhost:PORT/callback`.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Read the app's secret from this file, if it demands one.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// The port of this machine at which the browser comes back; 0 takes a free one.
    #[arg(long, default_value_t = 1717)]
    port: u16,
    /// The file that keeps the sign-in, for its owner's eyes only.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Who is expected to sign in.
    #[arg(long)]
    username: Option<String>,
    /// Print the page's address only.
    #[arg(long)]
    no_browser: bool,
    /// How many seconds to wait for the browser to come back.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

#[derive(Serialize)]
struct Done<'a> {
    url: &'a str,
    username: String,
    token_file: String,
}

/// Signs in, and keeps the refresh token in the file that was named.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    refuse_other_files(&arguments.token_file)?;
    let secret = match &arguments.client_secret_file {
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| Failure::file("read the secret's file", path, &error))?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    block_on(async {
        let signed_in = sign_in(arguments, secret.as_deref(), output).await?;
        keep(arguments, secret, &signed_in, output).await
    })?
}

/// A file that holds something else is somebody's.
fn refuse_other_files(path: &Path) -> Result<()> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() || SignInFile::parse(&text).is_some() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::InvalidData => {
            Err(Failure::file("read the token file", path, &error))
        }
        _ => Err(
            Failure::usage(format!("{} holds something else", path.display()))
                .hint("choose another file; only a sign-in is replaced by a newer one"),
        ),
    }
}

async fn sign_in(arguments: &Arguments, secret: Option<&str>, output: &Output) -> Result<SignedIn> {
    let door = Door::open(arguments.port).await.map_err(|error| {
        let message = format!("cannot wait on port {}: {error}", arguments.port);
        Failure::new(ErrorKind::InvalidArgument, message)
            .hint("another --port, which the app's callback URL must name as well")
    })?;
    let mut sign_in = SignIn::new(&arguments.url, &arguments.client_id, door.redirect_uri())?;
    if let Some(secret) = secret {
        sign_in = sign_in.with_client_secret(secret);
    }
    if let Some(name) = &arguments.username {
        sign_in = sign_in.with_login_hint(name);
    }
    let sign_in = Arc::new(sign_in);
    let page = sign_in.url();
    output.ask(format!("sign in at this page: {page}"));
    // Without a browser there is still the address above.
    if !arguments.no_browser && open::that_detached(&page).is_err() {
        output.ask("no browser could be opened: open the page yourself");
    }
    let known = Arc::clone(&sign_in);
    let answer = tokio::select! {
        answer = door.answer(move |answer| known.is_ours(answer)) => answer.map_err(|error| {
            Failure::new(ErrorKind::Internal, format!("cannot wait for the browser: {error}"))
        })?,
        () = tokio::time::sleep(Duration::from_secs(arguments.timeout)) => {
            let message = format!("nobody signed in within {} seconds", arguments.timeout);
            return Err(Failure::new(ErrorKind::NotAuthorized, message).hint("run it again"));
        }
        _ = tokio::signal::ctrl_c() => {
            return Err(Failure::new(ErrorKind::Interrupted, "the sign-in was interrupted"));
        }
    };
    Ok(sign_in.finish(&answer).await?)
}

/// Writes the file, and asks the org who that is.
async fn keep(
    arguments: &Arguments,
    client_secret: Option<String>,
    signed_in: &SignedIn,
    output: &Output,
) -> Result<()> {
    let refresh_token = signed_in.refresh_token().ok_or_else(|| {
        Failure::new(ErrorKind::NotAuthorized, "the app may not stay signed in")
            .hint("give the connected app the scope refresh_token")
    })?;
    let file = SignInFile {
        url: arguments.url.clone(),
        client_id: arguments.client_id.clone(),
        client_secret,
        refresh_token: refresh_token.to_owned(),
    };
    let path = &arguments.token_file;
    file.write(path)
        .map_err(|error| Failure::file("keep the sign-in in", path, &error))?;
    let url = signed_in.instance_url().unwrap_or(&arguments.url);
    let tokens = RefreshToken::new(&arguments.url, &arguments.client_id, refresh_token)?
        .with_access_token(signed_in.access_token().clone());
    let who = store::remote(url, tokens)?.identity().await?;
    let done = Done {
        url,
        username: who.username,
        token_file: path.display().to_string(),
    };
    output.show(&done, || {
        vec![format!(
            "signed in as {} at {}; {} keeps it",
            done.username, done.url, done.token_file
        )]
    })
}
