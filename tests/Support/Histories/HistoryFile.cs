using System.Globalization;

namespace Granary.Support.Histories;

/// <summary>
/// A history that is written to a file as it happens, a line an event, so that it takes no memory and outlives its writer. Safe for
/// several threads: it stamps the times, under its lock, so that they only go forward.
/// </summary>
public sealed class HistoryFile : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly long _began = System.Diagnostics.Stopwatch.GetTimestamp();
    private readonly StreamWriter _writer;
    private bool _closed;

    public HistoryFile(string path)
    {
        Path = path;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        _writer = new StreamWriter(path, append: false, System.Text.Encoding.UTF8, BufferBytes);
        Note($"history of {DateTimeOffset.UtcNow:O}; times in units of 100 ns since then");
    }

    public string Path { get; }

    /// <summary>Now, on this history's clock: for <see cref="HistoryEvent.Began"/>.</summary>
    public long Now => System.Diagnostics.Stopwatch.GetElapsedTime(_began).Ticks;

    /// <summary>Writes it down with the time of now; its own time is not looked at. After the end nothing is taken any more.</summary>
    public void Add(in HistoryEvent happened)
    {
        lock (_gate)
        {
            if (!_closed)
                Write(happened with { Time = Now });
        }
    }

    /// <summary>A line for people, on disk at once.</summary>
    public void Note(string text)
    {
        Add(new HistoryEvent(HistoryEventKind.Note, Text: text.ReplaceLineEndings(" ")));
        Flush();
    }

    public void Flush()
    {
        lock (_gate)
        {
            if (!_closed)
                _writer.Flush();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            _closed = true;
            _writer.Dispose();
        }
    }

    /// <summary>All events of a file, in order, read as they are asked for.</summary>
    public static IEnumerable<HistoryEvent> Read(string path) => File.ReadLines(path).Select(Parse);

    private void Write(in HistoryEvent one)
    {
        var culture = CultureInfo.InvariantCulture;
        _writer.WriteLine(one.Kind == HistoryEventKind.Note
            ? string.Create(culture, $"{one.Time} {one.Kind} {one.Text}")
            : string.Create(culture, $"{one.Time} {one.Kind} {one.Client} {one.Partition} {one.Offset} {one.Record.Producer} {one.Record.Partition} {one.Record.Number} {one.Began} {one.Group}"));
    }

    private static HistoryEvent Parse(string line)
    {
        var culture = CultureInfo.InvariantCulture;
        var words = line.Split(' ', 3);
        var time = long.Parse(words[0], culture);
        var kind = Enum.Parse<HistoryEventKind>(words[1]);
        if (kind == HistoryEventKind.Note)
            return new HistoryEvent(kind, time, Text: words.Length > 2 ? words[2] : "");
        var numbers = Array.ConvertAll(words[2].Split(' '), word => long.Parse(word, culture));
        return new HistoryEvent(
            kind,
            time,
            (int)numbers[0],
            (int)numbers[1],
            numbers[2],
            new SentRecord((int)numbers[3], (int)numbers[4], numbers[5]),
            numbers[6],
            Group: (int)numbers[7]);
    }
}
