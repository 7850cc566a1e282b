using System.Text;

namespace Granary.Gateway.Generator;

/// <summary>Lines of code with their indentation.</summary>
internal sealed class CodeText
{
    private readonly StringBuilder _text = new StringBuilder();
    private int _indent;

    public void Line(string line = "") => _text.Append(line.Length == 0 ? "" : new string(' ', _indent * 4)).Append(line).Append('\n');

    public void Open(string head)
    {
        Line(head);
        Line("{");
        _indent++;
    }

    public void Close(string tail = "}")
    {
        _indent--;
        Line(tail);
    }

    public override string ToString() => _text.ToString();
}
