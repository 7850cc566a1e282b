using Granary.Unit.Tidy;

namespace Granary.Unit.Wire;

/// <summary>
/// Request frames as real clients sent them to a real silo, a file each in `Frames`, named client-api-version. Recorded by
/// `./dev record` (tests/KafkaClients/Recording).
/// </summary>
internal static class RecordedFrames
{
    private const string Folder = "tests/Unit/Wire/Frames";

    /// <param name="Bytes">The whole frame, its length first.</param>
    internal sealed record Recorded(string Name, byte[] Bytes);

    public static IReadOnlyList<Recorded> All { get; } =
        [.. SourceTree.Files(Folder, "*.hex").Select(file => new Recorded(Path.GetFileNameWithoutExtension(file), Convert.FromHexString(string.Concat(SourceTree.Lines(file)))))];
}
