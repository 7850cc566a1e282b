using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Granary.Silo.Postgres;

namespace Granary.Support;

/// <summary>
/// The real silo program as a process of its own, on free ports of loopback. It can be killed (-9), stopped and started again on the same
/// ports and data. Its output is kept.
/// </summary>
public sealed partial class SiloProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Suspend = 19;
    private const int Continue = 18;
    private const int Interrupt = 2;
    private const int MaxKeptLines = 5_000;

    /// <summary>The program as it was built, or as it was published to where GRANARY_SILO_FOLDER says.</summary>
    private static readonly string s_programFolder = Environment.GetEnvironmentVariable("GRANARY_SILO_FOLDER") ?? AppContext.BaseDirectory;

    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromMinutes(1);

    private readonly SiloProcessOptions _options;
    private readonly bool _ownsFolder;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly int _kafkaPort = FreePorts.Next();
    private readonly int _httpPort = FreePorts.Next();
    private readonly int _siloPort = FreePorts.Next();
    private readonly int _gatewayPort = FreePorts.Next();
    private Process? _process;
    private bool _isAskedToEnd;
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SiloProcess(SiloProcessOptions options)
    {
        _options = options;
        _ownsFolder = options.DataFolder is null;
        DataFolder = options.DataFolder ?? TestFolders.New();
    }

    /// <summary>host:port of its Kafka listener.</summary>
    public string KafkaBootstrap => $"{_options.Address}:{_kafkaPort}";

    public string HttpUrl => $"http://{_options.Address}:{_httpPort}";

    public string DataFolder { get; }

    /// <summary>How to connect to the PostgreSQL it works on.</summary>
    public string PostgresConnectionString => _options.ConnectionString ?? EmbeddedPostgres.ConnectionStringOf(DataFolder);

    /// <summary>What it printed, the newest lines last.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>What it printed to its error stream, the newest lines last.</summary>
    public string Errors => string.Join('\n', _errors);

    public int ProcessId => _process!.Id;

    /// <summary>Whether its process is there; one that is suspended is.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Its exit code where it has ended though nobody killed or stopped it; else null.</summary>
    public int? UnaskedExitCode => !_isAskedToEnd && _process is { HasExited: true } ended ? ended.ExitCode : null;

    /// <summary>How long ago it ended; zero while it runs.</summary>
    public TimeSpan SinceEnd => _process is { HasExited: true } ended ? DateTime.Now - ended.ExitTime : TimeSpan.Zero;

    /// <summary>Starts a silo and waits until it says that it is ready.</summary>
    public static async Task<SiloProcess> StartAsync(SiloProcessOptions options)
    {
        var silo = new SiloProcess(options);
        try
        {
            await silo.RestartAsync();
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a silo, and does not wait for it.</summary>
    public static SiloProcess Launch(SiloProcessOptions options)
    {
        var silo = new SiloProcess(options);
        silo.Launch();
        return silo;
    }

    /// <summary>Starts it again, on the same ports and data, after it was killed or stopped.</summary>
    public async Task RestartAsync()
    {
        Launch();
        using var deadline = new CancellationTokenSource(s_startTimeout);
        var ended = _process!.WaitForExitAsync(deadline.Token);
        if (await Task.WhenAny(_ready.Task, ended) != _ready.Task)
            throw new InvalidOperationException($"the silo did not become ready:\n{Output}");
    }

    /// <summary>Starts it, and waits until it has ended by itself.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunToEndAsync(SiloProcessOptions options)
    {
        await using var silo = new SiloProcess(options);
        silo.Launch();
        using var deadline = new CancellationTokenSource(s_startTimeout);
        await silo._process!.WaitForExitAsync(deadline.Token);
        return (silo._process.ExitCode, silo.Output, silo.Errors);
    }

    /// <summary>Ends it as a crash would (kill -9).</summary>
    public void Kill()
    {
        _isAskedToEnd = true;
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>Asks it to stop; it ends a while later.</summary>
    /// <param name="likeCtrlC">True: by SIGINT, false: by SIGTERM.</param>
    public void AskToStop(bool likeCtrlC = false)
    {
        _isAskedToEnd = true;
        _ = SendSignal(_process!.Id, likeCtrlC ? Interrupt : Terminate);
    }

    /// <summary>Asks it to stop, and waits for its end.</summary>
    public async Task<int> StopAsync()
    {
        AskToStop();
        return await EndedAsync();
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> EndedAsync()
    {
        using var deadline = new CancellationTokenSource(s_stopTimeout);
        await _process!.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    /// <summary>Stops all of its threads where they are (SIGSTOP); its sockets stay open, and nothing answers.</summary>
    public void Hang() => _ = SendSignal(_process!.Id, Suspend);

    /// <summary>Lets it go on after <see cref="Hang"/> (SIGCONT).</summary>
    public void Resume() => _ = SendSignal(_process!.Id, Continue);

    /// <summary>Ends its embedded PostgreSQL as a crash would (kill -9 of the main process).</summary>
    public void KillPostgres()
    {
        if (PostgresProcessId() is not { } id)
            return;
        using var postgres = Process.GetProcessById(id);
        postgres.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            Resume();
            _ = SendSignal(_process.Id, Terminate);
            using var deadline = new CancellationTokenSource(s_stopTimeout);
            await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill();
        }

        _process?.Dispose();
        if (!_ownsFolder)
            return;
        KillPostgresLeftBehind();
        TestFolders.Delete(EmbeddedPostgres.SocketFolderOf(DataFolder));
        TestFolders.Delete(DataFolder);
    }

    private void Launch()
    {
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] command = [.. _options.Launcher, .. Signals.HeedInterrupt, "dotnet", Path.Combine(s_programFolder, "Granary.Silo.dll")];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GRANARY_DATA"] = DataFolder;
        start.Environment["Granary__Kafka__Port"] = $"{_kafkaPort}";
        start.Environment["Granary__HttpUrl"] = HttpUrl;
        start.Environment["Granary__Kafka__Address"] = _options.Address;
        start.Environment["Granary__Kafka__AdvertisedHost"] = _options.Address;
        if (_options.ConnectionString is not null)
            start.Environment["ConnectionStrings__Granary"] = _options.ConnectionString;
        start.Environment["Granary__SiloPort"] = $"{_siloPort}";
        start.Environment["Granary__GatewayPort"] = $"{_gatewayPort}";
        foreach (var (name, value) in _options.Settings)
            start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => KeepError(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        // Not sooner: somebody may be looking whether it runs.
        var former = _process;
        _process = process;
        _isAskedToEnd = false;
        former?.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _output.Enqueue(line);
        if (_output.Count > MaxKeptLines)
            _output.TryDequeue(out _);
        if (_options.LogFile is not null)
        {
            lock (_output)
                File.AppendAllText(_options.LogFile, $"{DateTime.UtcNow:HH:mm:ss.fff} {line}\n");
        }

        if (line.StartsWith("Granary is ready", StringComparison.Ordinal))
            _ready.TrySetResult();
    }

    private void KeepError(string? line)
    {
        if (line is not null)
            _errors.Enqueue(line);
        Keep(line);
    }

    /// <summary>What its embedded PostgreSQL says its process is; null where it says nothing.</summary>
    public int? PostgresProcessId()
    {
        var file = Path.Combine(DataFolder, "postgres", "postmaster.pid");
        return File.Exists(file) && int.TryParse(File.ReadLines(file).First(), out var id) ? id : null;
    }

    /// <summary>A silo that was killed leaves its server running, for the next one to take over; there is none any more.</summary>
    private void KillPostgresLeftBehind()
    {
        try
        {
            KillPostgres();
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int id, int signal);
}
