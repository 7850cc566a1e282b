using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Granary.Support;

/// <summary>The real gateway program as a process of its own, at the edge of the cluster that works on a database, on free ports of loopback.</summary>
public sealed partial class EdgeProcess : IAsyncDisposable
{
    private const int Terminate = 15;

    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "Granary.Gateway.dll");
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly string _connectionString;
    private readonly string? _clusterId;
    private readonly int _kafkaPort = FreePorts.Next();
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process _process;

    private EdgeProcess(string connectionString, string? clusterId)
    {
        (_connectionString, _clusterId) = (connectionString, clusterId);
        HttpUrl = $"http://127.0.0.1:{FreePorts.Next()}";
        _process = Launch();
    }

    /// <summary>host:port of its Kafka listener.</summary>
    public string KafkaBootstrap => $"127.0.0.1:{_kafkaPort}";

    public string HttpUrl { get; }

    /// <summary>What it printed.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Whether its process is there.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Starts one; it may wait for its cluster.</summary>
    public static EdgeProcess Launch(string connectionString, string? clusterId = null) => new(connectionString, clusterId);

    /// <summary>Starts one, and waits until it says that it is ready.</summary>
    public static async Task<EdgeProcess> StartAsync(string connectionString, string? clusterId = null)
    {
        var edge = Launch(connectionString, clusterId);
        try
        {
            await edge.ReadyAsync();
            return edge;
        }
        catch
        {
            await edge.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the program with a subcommand or wrong settings to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(params string[] arguments)
    {
        using var process = Process.Start(StartOf(arguments))!;
        using var deadline = new CancellationTokenSource(s_patience);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var errors = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Its subcommand `health`, with its settings.</summary>
    public Task<(int ExitCode, string Output)> AskHealthAsync() => RunToEndAsync("health", $"--Granary:HttpUrl={HttpUrl}");

    public async Task ReadyAsync()
    {
        var ended = _process.WaitForExitAsync();
        if (await Task.WhenAny(_ready.Task, ended).WaitAsync(s_patience) != _ready.Task)
            throw new InvalidOperationException($"the gateway ended:\n{Output}");
    }

    /// <summary>Ends it as a crash would (kill -9).</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Starts it again, on the same ports, after it has ended. Returns when it is ready.</summary>
    public async Task RestartAsync()
    {
        _process.Dispose();
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Launch();
        await ReadyAsync();
    }

    /// <summary>Asks it to stop, and waits for its end.</summary>
    public async Task<int> StopAsync()
    {
        _ = SendSignal(_process.Id, Terminate);
        await _process.WaitForExitAsync().WaitAsync(s_patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private Process Launch()
    {
        var process = new Process { StartInfo = StartOf([]) };
        process.StartInfo.Environment["ConnectionStrings__Granary"] = _connectionString;
        process.StartInfo.Environment["Granary__Kafka__Port"] = $"{_kafkaPort}";
        process.StartInfo.Environment["Granary__HttpUrl"] = HttpUrl;
        if (_clusterId is not null)
            process.StartInfo.Environment["Granary__ClusterId"] = _clusterId;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static ProcessStartInfo StartOf(string[] arguments) =>
        new("dotnet", [s_program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _output.Enqueue(line);
        if (line.StartsWith("Granary's gateway is ready", StringComparison.Ordinal))
            _ready.TrySetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int id, int signal);
}
