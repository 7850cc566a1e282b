using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Granary.Grains.Storage;
using Npgsql;

namespace Granary.Silo.Postgres;

/// <summary>
/// A PostgreSQL server of Granary's own: its data lies in one folder, it listens on a unix socket in a private folder and nowhere else,
/// and it is started and stopped with its owner. A server that an owner left behind when it was killed is taken over.
/// </summary>
public sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    private const string SuperUser = "granary";
    private const int LongestSocketPath = 107;
    private const int NoSuchProcess = 3;
    private const int KillSignal = 9;

    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(200);

    private readonly string _binaries;
    private readonly string _log;
    private readonly string _sockets;
    private readonly FileStream _lock;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private bool _stopped;

    private EmbeddedPostgres(string binaries, string folder, FileStream @lock)
    {
        _binaries = binaries;
        _lock = @lock;
        DataFolder = Path.Combine(folder, "postgres");
        _log = Path.Combine(folder, "postgres.log");
        _sockets = SocketFolderOf(folder);
    }

    /// <summary>Where the database lies.</summary>
    public string DataFolder { get; }

    /// <summary>The process id of the running server, or null.</summary>
    public int? ProcessId => ReadProcessId() is { } id && IsServer(id) ? id : null;

    /// <summary>How to connect.</summary>
    public string ConnectionString => ConnectionStringTo(_sockets);

    /// <summary>How to connect to the server that keeps its data below a folder, when it runs.</summary>
    public static string ConnectionStringOf(string folder) => ConnectionStringTo(SocketFolderOf(folder));

    /// <summary>Where the socket lies of the server that keeps its data below a folder.</summary>
    /// <remarks>A socket's path has 107 bytes at most, so it does not lie in the data folder but in a short one named after it.</remarks>
    /// <exception cref="PostgresStartException">The machine's folder for what is temporary has too long a path.</exception>
    public static string SocketFolderOf(string folder)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..12];
        var sockets = Path.Combine(Path.GetTempPath(), $"granary-{name}");
        if (Encoding.UTF8.GetByteCount(Path.Combine(sockets, ".s.PGSQL.5432")) > LongestSocketPath)
            throw new PostgresStartException($"The path {sockets} is too long for a unix socket ({LongestSocketPath} bytes): set TMPDIR to a shorter one.");
        return sockets;
    }

    /// <summary>Starts the server that keeps its data below a folder; creates the folder and the database where they are new.</summary>
    /// <exception cref="PostgresStartException">No binaries, the folder is in use, or the server does not start.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(string folder)
    {
        folder = Path.GetFullPath(folder);
        var binaries = PostgresBinaries.Find() ?? throw new PostgresStartException(
            $"No PostgreSQL {PostgresBinaries.OldestMajorVersion} or newer was found on this machine. Install it, name its folder in GRANARY_PG_BIN, or name a running server in ConnectionStrings__Granary.");
        Directory.CreateDirectory(folder);
        var postgres = new EmbeddedPostgres(binaries, folder, Lock(folder));
        try
        {
            await postgres.CreateAsync();
            await postgres.WaitUntilReadyAsync();
            return postgres;
        }
        catch
        {
            await postgres._lock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server anew where it is not running. Returns when it takes connections.</summary>
    public async Task EnsureRunningAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_stopped || ProcessId is not null)
                return;
            ForgetForeignProcess();
            var (exitCode, output) = await UnprivilegedCommand.RunAsync(
                Program("pg_ctl"), "start", "--wait", "--timeout", "120", "--silent", "--pgdata", DataFolder, "--log", _log);
            if (exitCode != 0)
                throw new PostgresStartException($"PostgreSQL did not start ({output}); its log is {_log}: {LastOfLog()}");
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Ends the server as a crash would (kill -9 of its main process). For tests of what is left after it.</summary>
    public void Kill()
    {
        if (ProcessId is { } id)
            _ = SendSignal(id, KillSignal);
    }

    /// <summary>Stops the server (open transactions are rolled back), removes its socket's folder and gives the data folder free.</summary>
    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_stopped)
                return;
            _stopped = true;
            if (ProcessId is not null)
                await UnprivilegedCommand.RunAsync(Program("pg_ctl"), "stop", "--mode", "fast", "--wait", "--timeout", "60", "--silent", "--pgdata", DataFolder);
            if (ProcessId is null && Directory.Exists(_sockets))
                Directory.Delete(_sockets, recursive: true);
            await _lock.DisposeAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>
    /// A server that was killed a moment ago may still look alive, or leave processes that the next one has to wait for: it is tried until
    /// a connection is had.
    /// </summary>
    private async Task WaitUntilReadyAsync()
    {
        using var deadline = new CancellationTokenSource(s_startTimeout);
        while (true)
        {
            try
            {
                await EnsureRunningAsync();
                await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false;Timeout=5");
                await connection.OpenAsync(deadline.Token);
                return;
            }
            catch (Exception failure) when ((PostgresAway.Explains(failure) || failure is PostgresStartException) && !deadline.IsCancellationRequested)
            {
                await Task.Delay(s_retryDelay, deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task CreateAsync()
    {
        // Its name can be guessed, and whoever may write there could have it lead to a folder of somebody else's.
        if (new DirectoryInfo(_sockets).LinkTarget is { } target)
            throw new PostgresStartException($"The folder for PostgreSQL's socket, {_sockets}, is a link to {target}: remove it, or set TMPDIR to a folder that nobody else writes to.");
        await UnprivilegedCommand.OwnAsync(_sockets);
        await UnprivilegedCommand.OwnAsync(DataFolder);
        if (!File.Exists(Path.Combine(DataFolder, "PG_VERSION")))
        {
            var (exitCode, output) = await UnprivilegedCommand.RunAsync(
                Program("initdb"), "--pgdata", DataFolder, "--username", SuperUser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C");
            if (exitCode != 0)
                throw new PostgresStartException($"initdb failed in {DataFolder}: {output}");
        }

        await File.WriteAllTextAsync(Path.Combine(DataFolder, "postgresql.auto.conf"), PostgresSettings.For(_sockets));
        if (!File.Exists(_log))
            await File.WriteAllTextAsync(_log, "");
        File.SetUnixFileMode(_log, (UnixFileMode)0b110_110_110);
    }

    private static string ConnectionStringTo(string sockets) => $"Host={sockets};Username={SuperUser};Database=postgres";

    private string Program(string name) => Path.Combine(_binaries, name);

    private int? ReadProcessId()
    {
        var file = Path.Combine(DataFolder, "postmaster.pid");
        try
        {
            return File.Exists(file) && int.TryParse(File.ReadLines(file).FirstOrDefault(), out var id) ? id : null;
        }
        catch (IOException)
        {
            // The server removed the file between the question and the reading.
            return null;
        }
    }

    private string LastOfLog() => File.Exists(_log) ? string.Join(" | ", File.ReadLines(_log).TakeLast(5)) : "no log";

    private static FileStream Lock(string folder)
    {
        var file = Path.Combine(folder, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new PostgresStartException($"The data folder {folder} is in use by another Granary. Stop it, or name another folder in GRANARY_DATA.");
        }
    }

    /// <summary>
    /// A server that crashed leaves its process id behind, and the machine may have given that to any other program since; after a restart of a
    /// container it nearly always has. The command line tells, and may be read whoever runs the server.
    /// </summary>
    private bool IsServer(int id) => IsRunning(id) && (CommandOf(id) is not { } command || command.Contains(DataFolder, StringComparer.Ordinal));

    /// <summary>
    /// PostgreSQL does not start while there is a process with the id in its file: whatever that is, and also where its own former one has ended and
    /// nobody has asked for its exit code, which as the first process of a container nobody ever does. What processes of the former one are
    /// still at work PostgreSQL finds out by its shared memory, whether the file is there or not.
    /// </summary>
    private void ForgetForeignProcess()
    {
        if (ReadProcessId() is { } id && IsRunning(id) && CommandOf(id) is { } command && Path.GetFileName(command.FirstOrDefault()) != "postgres")
            File.Delete(Path.Combine(DataFolder, "postmaster.pid"));
    }

    /// <summary>Program and arguments; empty for a process that has ended and is not yet forgotten; null where the system does not tell.</summary>
    private static string[]? CommandOf(int id)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsRunning(int id) => SendSignal(id, 0) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int id, int signal);
}
