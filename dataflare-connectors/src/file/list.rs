//! Which files a path, a folder or a pattern names.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use dataflare_core::{Error, Result};
use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::format::Format;

/// A file, as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Changes when it is written to.
    pub version: String,
}

/// All files that `paths` name, sorted by path, each once.
pub(super) fn list(paths: &[String], format: Option<Format>) -> Result<Vec<Listed>> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        if path.contains("://") {
            let message = format!("`{path}` is a URL, which cannot be read yet");
            return Err(Error::config(message).help("copy the files to a local folder"));
        }
        if path.contains(['*', '?', '[', '{']) {
            files.extend(matching(path)?);
        } else if Path::new(path).is_dir() {
            files.extend(below(Path::new(path), &|file| format.is_some() || Format::of(file).is_some())?);
        } else {
            files.push(listed(Path::new(path))?);
        }
        if files.len() == before {
            return Err(nothing(path));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}

fn matching(pattern: &str) -> Result<Vec<Listed>> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob =
        glob.map_err(|cause| Error::config(format!("`{pattern}` is not a pattern")).caused_by(cause))?;
    let matcher: GlobMatcher = glob.compile_matcher();
    let root = fixed_part(pattern);
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { &root };
    if !root.is_dir() {
        return Err(nothing(pattern));
    }
    below(root, &|file| matcher.is_match(file.strip_prefix(".").unwrap_or(file)) || matcher.is_match(file))
}

/// The folders before the first wildcard.
fn fixed_part(pattern: &str) -> PathBuf {
    let fixed = &pattern[..pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len())];
    fixed
        .rsplit_once('/')
        .map_or_else(PathBuf::new, |(folder, _)| PathBuf::from(if folder.is_empty() { "/" } else { folder }))
}

fn below(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<Listed>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true) {
        let entry = entry
            .map_err(|cause| Error::config(format!("cannot list {}", folder.display())).caused_by(cause))?;
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        if entry.file_type().is_file() && !hidden && wanted(entry.path()) {
            files.push(listed(entry.path())?);
        }
    }
    Ok(files)
}

fn listed(path: &Path) -> Result<Listed> {
    let meta = std::fs::metadata(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => nothing(&path.display().to_string()),
        _ => Error::config(format!("cannot read {}", path.display())).caused_by(cause),
    })?;
    let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let version = format!("{}-{}", meta.len(), modified.map_or(0, |since| since.as_nanos()));
    Ok(Listed { path: path.to_owned(), bytes: meta.len(), version })
}

fn nothing(path: &str) -> Error {
    let mut nearest = Path::new(path);
    while let Some(parent) = nearest.parent() {
        nearest = parent;
        if nearest.is_dir() {
            break;
        }
    }
    let shown = if nearest.as_os_str().is_empty() {
        "the current directory".into()
    } else {
        nearest.display().to_string()
    };
    Error::config(format!("`{path}` names no file"))
        .help(format!("looked below {shown}; paths are relative to the current directory"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_patterns_and_files_are_listed_once_and_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["b.csv", "a.csv", "sub/c.csv", "readme.txt", ".hidden.csv"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let names = |paths: &[String]| -> Vec<String> {
            let files = list(paths, None).unwrap();
            files.iter().map(|file| file.path.strip_prefix(root).unwrap().display().to_string()).collect()
        };
        assert_eq!(names(&[root.to_owned()]), ["a.csv", "b.csv", "sub/c.csv"]);
        assert_eq!(names(&[format!("{root}/*.csv")]), ["a.csv", "b.csv"]);
        assert_eq!(
            names(&[format!("{root}/**/*.csv"), format!("{root}/a.csv")]),
            ["a.csv", "b.csv", "sub/c.csv"]
        );
    }

    #[test]
    fn what_names_no_file_says_where_it_looked() {
        let error = list(&["/nowhere/x/*.csv".to_owned()], None).unwrap_err();
        assert_eq!(error.message, "`/nowhere/x/*.csv` names no file");
        assert!(error.help.unwrap().starts_with("looked below /"));
    }
}
