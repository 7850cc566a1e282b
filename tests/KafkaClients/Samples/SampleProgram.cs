using System.Collections.Concurrent;
using System.Diagnostics;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Samples;

/// <summary>A sample as its users run it: a process, told by its environment. What it prints is kept.</summary>
internal sealed class SampleProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private SampleProgram(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyCollection<string> Lines => _lines;

    public string LastLines => string.Join('\n', _lines.TakeLast(30));

    /// <param name="name">Of its folder below samples/.</param>
    public static SampleProgram Start(string name, string connectionString, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(FolderOf(name), $"Granary.{name}.dll")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ConnectionStrings__Granary"] = connectionString;
        foreach (var (setting, value) in settings)
            start.Environment[$"Sample__{setting}"] = value;
        return new SampleProgram(start);
    }

    /// <summary>The exit code of that sample's question for the health of one that runs on this machine.</summary>
    public static async Task<int> AskHealthAsync(string name)
    {
        using var asking = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(FolderOf(name), $"Granary.{name}.dll"), "health"]) { RedirectStandardOutput = true })!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await asking.WaitForExitAsync(deadline.Token);
        return asking.ExitCode;
    }

    public Task PrintsAsync(string what, Func<IReadOnlyCollection<string>, bool> holds) => Eventually.IsTrueAsync(
        () => !_process.HasExited && holds(_lines),
        () => $"{what}; {(_process.HasExited ? $"it ended with {_process.ExitCode}" : "it printed at last")}:\n{LastLines}",
        seconds: 120);

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>As an orchestrator stops it. Returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        Assert.True(Signals.AskToEnd(_process.Id), "it has ended already");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Where it was built, beside these tests: in the same configuration, for the same framework.</summary>
    private static string FolderOf(string name)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.GetFullPath(Path.Combine(here.FullName, "..", "..", "..", "..", "..", "samples", name, "bin", here.Parent!.Name, here.Name));
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _lines.Enqueue(line);
    }
}
