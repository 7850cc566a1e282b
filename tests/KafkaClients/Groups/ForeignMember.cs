using System.Collections.Concurrent;
using System.Diagnostics;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>A member of a group that is a program of its own and prints each value that it reads on a line.</summary>
internal sealed class ForeignMember : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private ForeignMember(string program, IEnumerable<string> arguments, string folder)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        })!;
        _reading = Task.Run(ReadAsync);
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public ConcurrentQueue<string> Read { get; } = new();

    /// <param name="kcat">Its path.</param>
    public static ForeignMember Kcat(string kcat, string bootstrap, string group, string topic) => new(
        kcat,
        ["-b", bootstrap, "-G", group, "-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=200", "-X", "session.timeout.ms=6000", "-X", "partition.assignment.strategy=range", "-q", "-u", topic],
        "");

    /// <param name="node">Its path.</param>
    public static ForeignMember KafkaJs(string node, string bootstrap, string group, string topic) => new(node, ["group.js", bootstrap, topic, group], ForeignRecord.Folder("js"));

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndAsync();
    }

    /// <summary>Leaves the group: asked to by SIGTERM, or by the end of its input.</summary>
    /// <param name="byInput">False: by SIGTERM.</param>
    public async Task LeaveAsync(bool byInput)
    {
        if (byInput)
            _process.StandardInput.Close();
        else
            Assert.True(Signals.AskToEnd(_process.Id), "it has ended by itself");
        await EndAsync();
        Assert.True(_process.ExitCode == 0, $"it ended with {_process.ExitCode}: {await _errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private async Task EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(s_patience);
        await _reading.WaitAsync(s_patience);
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            Read.Enqueue(line);
    }
}
